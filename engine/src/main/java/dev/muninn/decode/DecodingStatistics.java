package dev.muninn.decode;

/**
 * The cost of a sequence.
 *
 * @param corePasses calls of the recurrent block that carried rows of the sequence; in parallel
 *     sampling the whole prompt counts as one
 * @param coreRows rows in those calls, as they count
 * @param checkRows rows through the coda only to see whether they may exit
 * @param draftedTokens tokens drafted by speculation
 * @param acceptedTokens of those, the ones that were accepted
 * @param outerSteps outer steps of parallel sampling
 */
public record DecodingStatistics(
    long corePasses,
    long coreRows,
    long checkRows,
    long draftedTokens,
    long acceptedTokens,
    long outerSteps) {}
