/**
 * From a prompt to tokens: decoding strategies, early exits, sampling, and the scheduler that gives
 * every call of the recurrent block as many rows as there are.
 */
package dev.muninn.decode;
