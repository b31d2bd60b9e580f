package dev.tern.core;
