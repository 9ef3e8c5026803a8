/** The {@code cache} command, and what the cache holds. */
package dev.muninn.cli.cache;
