//! Sans-IO SMTP.
