"""Region-word matching: labelled boxes find their phrases.

Li et al., GLIP, CVPR 2022 (arXiv 2112.03857); Dou et al., FIBER, NeurIPS 2022 (arXiv 2206.07643);
Yao et al., DetCLIP, NeurIPS 2022 (arXiv 2209.09407).
"""
