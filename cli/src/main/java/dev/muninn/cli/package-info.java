/** The {@code muninn} command: generate, inspect and score on the command line. */
package dev.muninn.cli;
