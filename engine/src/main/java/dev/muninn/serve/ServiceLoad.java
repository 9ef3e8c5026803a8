package dev.muninn.serve;

/**
 * What a model is doing, and what it has done since it was opened.
 *
 * @param running requests that are computed
 * @param queued requests that wait
 * @param reservedBytes memory for keys and values of those that are computed
 * @param keptBytes memory of keys and values that are kept for later prompts
 * @param keptSequences how many sequences that is
 * @param reusedTokens tokens of prompts that needed no computing
 * @param prefixHits requests that had such tokens
 * @param coreCalls calls of the recurrent block
 * @param coreRows rows in those calls
 */
public record ServiceLoad(
    int running,
    int queued,
    long reservedBytes,
    long keptBytes,
    int keptSequences,
    long reusedTokens,
    long prefixHits,
    long coreCalls,
    long coreRows) {}
