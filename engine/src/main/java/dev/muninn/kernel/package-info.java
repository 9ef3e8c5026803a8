/**
 * Arithmetic on rows of numbers, by the Vector API and beside it by scalar twins that specify it,
 * and the threads that share it. The CPU backend and training both stand on it; products of weight
 * matrices are {@code dev.muninn.vector}'s own.
 */
package dev.muninn.kernel;
