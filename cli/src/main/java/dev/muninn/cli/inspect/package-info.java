/** The commands that look and compute nothing: {@code inspect} and {@code devices}. */
package dev.muninn.cli.inspect;
