import "given";
