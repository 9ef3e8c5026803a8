/** The {@code quantize} command. */
package dev.muninn.cli.quantize;
