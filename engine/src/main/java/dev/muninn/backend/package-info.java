/**
 * What a device computes: {@link dev.muninn.backend.Backend} applies the prelude, the recurrent
 * block and the coda to rows, each at its own depth.
 */
package dev.muninn.backend;
