/** {@code muninn eval}: tasks from files, results that can be gone on with, tables and plots. */
package dev.muninn.cli.eval;
