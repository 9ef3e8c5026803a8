/** A model as data: its configuration and its weights. */
package dev.muninn.model;
