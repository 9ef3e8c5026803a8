/**
 * A stand-in for TornadoVM's API: the types and methods that Muninn uses, and no others. {@code
 * tornado-tasks} is compiled against it, so it builds without TornadoVM and against whichever
 * version is installed. A test compares these signatures with the installed ones.
 *
 * <p>Nothing here is copied from TornadoVM. The classes run task graphs in Java: one device, whose
 * memory is separate from the host's, with workgroups, local memory and barriers. That tests the
 * kernels and the transfers where there is no TornadoVM. It is never part of what users run: with
 * TornadoVM, its modules come first.
 */
package uk.ac.manchester.tornado.api;
