/** Models from a Hugging Face endpoint: fetched by name, kept in plain folders, found, removed. */
package dev.muninn.cli.models;
