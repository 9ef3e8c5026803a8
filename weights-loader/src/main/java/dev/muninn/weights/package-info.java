/**
 * Checkpoints in the safetensors format, memory-mapped and read in place.
 *
 * <p>{@link dev.muninn.weights.Checkpoint} opens a directory, {@link dev.muninn.weights.Tensor} is
 * one tensor in it, {@link dev.muninn.weights.SafetensorsWriter} writes the same format and {@link
 * dev.muninn.weights.JsonFile} reads the small JSON files beside the weights. Files are taken to
 * come from strangers: whatever they hold, the only exception that they can cause is {@link
 * dev.muninn.weights.CheckpointException}.
 */
package dev.muninn.weights;
