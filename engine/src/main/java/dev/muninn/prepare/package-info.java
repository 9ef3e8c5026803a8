/** Prepares checkpoints: the same weights in panels, of 16, 8 or 4 bits. */
package dev.muninn.prepare;
