"""What Apple's and Google's stores say of a purchase, once their signatures are off it."""
