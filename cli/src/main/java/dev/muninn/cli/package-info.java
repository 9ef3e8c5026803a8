/** The {@code muninn} command: what its commands share, and those that compute. */
package dev.muninn.cli;
