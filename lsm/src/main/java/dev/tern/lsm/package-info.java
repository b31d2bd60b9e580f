package dev.tern.lsm;
