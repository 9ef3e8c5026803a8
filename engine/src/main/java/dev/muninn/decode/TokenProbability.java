package dev.muninn.decode;

/**
 * How probable a token was.
 *
 * @param token its id
 * @param logProbability natural logarithm of its probability
 */
public record TokenProbability(int token, double logProbability) {}
