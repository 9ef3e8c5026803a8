package dev.muninn.train;

/**
 * How a model does on a validation set.
 *
 * @param set the set's name
 * @param recurrence r
 * @param loss mean cross-entropy, in nats
 * @param accuracy share of the answers that are right as a whole
 */
public record Evaluation(String set, int recurrence, double loss, double accuracy) {}
