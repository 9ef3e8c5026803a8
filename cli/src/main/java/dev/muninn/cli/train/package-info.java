/** {@code muninn train}: its options, its progress and its plots. */
package dev.muninn.cli.train;
