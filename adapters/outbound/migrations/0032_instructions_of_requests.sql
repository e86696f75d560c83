-- The ledger of recipients asks for all instructions of a request, answered ones too.
CREATE INDEX instructions_of_any_request ON trettio.instructions (request_id);
