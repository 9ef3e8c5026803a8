/** How help lists commands and options, in sections. */
package dev.muninn.cli.help;
