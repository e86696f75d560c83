"""Where mail comes in by itself: LMTP, a watched folder, an IMAP mailbox."""
