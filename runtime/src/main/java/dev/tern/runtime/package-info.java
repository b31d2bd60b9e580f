package dev.tern.runtime;
