"""One file a platform; the file name is the `type:` in the catalog. The only rooms that know a cloud's SDK."""
