/**
 * What the device computes, as static Java methods in groups. The runtime compiles them to OpenCL
 * or PTX; called in Java they compute the same, which is how the tests hold them to the engine's
 * scalar twins.
 *
 * <p>A kernel computes one item: an output of a product, a row of a norm, a head of a row. On a CPU
 * an item is one work-item's, on a GPU a whole workgroup's, whose lanes share it and add up in
 * local memory. {@code lanes} says which of the two: it is constant where the kernel is compiled,
 * and what the other needs falls away.
 *
 * <p>A kernel is a method of an item and a lane, in plain Java, and an entry that takes both from
 * the device. Names of parameters stand in the code of the device as they are, so that OpenCL's
 * words ({@code local}, {@code global}, {@code kernel}) cannot be among them.
 */
package dev.muninn.tornado.kernel;
