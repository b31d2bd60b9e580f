package dev.tern.bench;
