/**
 * Training of recurrent-depth models (arXiv 2502.05171, section 3.3): every layer's forward beside
 * its backward, the objective with truncated back-propagation, the optimizer and its files.
 */
package dev.muninn.train;
