"""Addresses at which the official data sets are published."""

COCO = "http://images.cocodataset.org"
COCO_ANNOTATIONS = f"{COCO}/annotations/annotations_trainval2017.zip"
LVIS = "https://dl.fbaipublicfiles.com/LVIS"
COCO_STUFF = (
    "http://calvin.inf.ed.ac.uk/wp-content/uploads/data/cocostuffdataset/"
    "stuffthingmaps_trainval2017.zip"
)
VOC_2012 = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar"
VOC_AUG = "http://home.bharathh.info/pubs/codes/SBD/download.html"  # a page, with what to do
ADE20K_150 = "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip"
