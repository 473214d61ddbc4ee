fn main() { /* solved */ }
