"""One file an operation; the file name is the command. Says what to do, as a plan or an answer; never does it."""
