/**
 * How checkpoints of each family become a {@link dev.muninn.model.RecurrentModel}: one folder a
 * family reads its config.json, refuses by name what it would compute wrongly, and binds its
 * tensors' names. Nothing else in the engine knows families.
 */
package dev.muninn.family;
