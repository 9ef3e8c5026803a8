/**
 * What the device computes, as static Java methods in groups. The runtime compiles them to OpenCL,
 * CUDA, PTX or Metal; called in Java they compute the same, which is how the tests hold them to the
 * engine's scalar twins.
 *
 * <p>A kernel computes one item: an output of a product, a row of a norm, a head of a row. On a CPU
 * an item is one work-item's, on a GPU that of several, whose lanes share it and add up in local
 * memory or, where the device has them, by the registers of a warp. {@code lanes} says how many: it
 * is constant where the kernel is compiled, and what the others need falls away.
 *
 * <p>A kernel's name and its parameters' names stand in the code of the device as they are: no
 * kernel is named like a function of CUDA or OpenCL, and no parameter like one of OpenCL's words
 * ({@code local}, {@code global}, {@code kernel}). Local memory is allocated where it is used and
 * never passed to another method. {@code >>>} is not used: devices shift a negative int by it as
 * {@code >>} does. No int is tested against both ends of a range: the runtime makes one unsigned
 * comparison of the two, and compiles it as signed.
 */
package dev.muninn.tornado.kernel;
