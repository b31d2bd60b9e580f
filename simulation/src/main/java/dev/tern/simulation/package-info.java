package dev.tern.simulation;
