/**
 * The GPU backend: prelude, recurrent block and coda as TornadoVM task graphs, found by {@link
 * java.util.ServiceLoader}. {@link dev.muninn.tornado.kernel} has what they are made of.
 */
package dev.muninn.tornado;
