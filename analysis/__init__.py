"""What the answers say: labels, summaries, figures, exports. Frames and arrays in, frames and arrays out."""
