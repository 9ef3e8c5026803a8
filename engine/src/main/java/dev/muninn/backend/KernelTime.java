package dev.muninn.backend;

/**
 * What one of a device's kernels takes by itself.
 *
 * @param kernel its name; of a product, also which matrix it reads
 * @param rows that it was called with
 * @param nanos nanoseconds of a call
 * @param bytes the least that a call reads and writes
 * @param operations multiplications and additions of a call, or 0 where they are not what counts
 */
public record KernelTime(String kernel, int rows, double nanos, double bytes, double operations) {}
