/**
 * The CPU backend: kernels by the Vector API, each beside a scalar twin that specifies it, and the
 * threads that run them.
 */
package dev.muninn.vector;
