mod any;
mod build;
mod measured;
mod scenarios;
