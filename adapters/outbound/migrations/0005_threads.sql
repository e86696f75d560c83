-- Which case a mail belongs to: our letters by what their Message-ID was made from, and messages
-- that were added to a case by their digest. Holds no address and no text.
CREATE TABLE trettio.threads (
    message_key text PRIMARY KEY,
    case_id uuid NOT NULL,
    letter_id uuid
);
