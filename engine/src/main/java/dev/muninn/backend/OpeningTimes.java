package dev.muninn.backend;

/**
 * What opening a device took before it could compute.
 *
 * @param compileNanos nanoseconds for compiling its kernels
 * @param sendNanos nanoseconds for sending it the weights
 */
public record OpeningTimes(long compileNanos, long sendNanos) {}
