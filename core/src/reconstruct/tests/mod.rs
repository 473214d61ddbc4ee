mod any;
mod build;
mod inner;
mod measured;
mod scenarios;
