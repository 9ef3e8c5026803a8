/**
 * {@code muninn bench}: what tokens cost, by recurrence and context, against the machine's limits.
 */
package dev.muninn.cli.bench;
