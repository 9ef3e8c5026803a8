package dev.muninn.backend;

/**
 * What a device reaches by itself, measured now: a neighbour on it counts.
 *
 * @param bytesPerSecond bytes a second from its memory or, where that is what was measured, from
 *     and to it
 * @param operationsPerSecond multiplications and additions of floats a second
 */
public record DeviceLimits(double bytesPerSecond, double operationsPerSecond) {}
