//! Black-box tests: real sockets on port 0, the library and the built binary.
