-- How many mails left by themselves to one address on one day, so that two machines that answer
-- each other fall silent. A keyed token stands for the address; yesterday's rows are deleted.
CREATE TABLE trettio.automatic_mails (
    sent_on date NOT NULL,
    token bytea NOT NULL,
    mails integer NOT NULL,
    PRIMARY KEY (sent_on, token)
);
