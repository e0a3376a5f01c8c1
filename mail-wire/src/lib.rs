//! The words that mail protocol machines share.
