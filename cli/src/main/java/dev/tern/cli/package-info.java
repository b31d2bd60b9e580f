package dev.tern.cli;
