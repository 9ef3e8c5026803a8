/** Results for programs, as JSON, and for people. */
package dev.muninn.cli.output;
