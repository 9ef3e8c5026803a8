/**
 * Looks at a thought: the latent states of a prompt at every recurrence, what the coda makes of
 * them, and whether they depend on where they began (arXiv 2502.05171, sections 5 and 6).
 */
package dev.muninn.trace;
