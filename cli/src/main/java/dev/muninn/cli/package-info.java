/** The {@code muninn} command: where it starts, and what it does about failures. */
package dev.muninn.cli;
